"""Pure rules: whom a change is told to, and what safe contact lets us do now."""
