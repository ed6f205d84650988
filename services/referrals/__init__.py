"""Who is a partner, is this referral valid, how far is the person, and the status of each need."""
