"""The rules of grants: pure, with time and money passed in."""
