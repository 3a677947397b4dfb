"""What intake decides, as pure functions: reading a clerk's file, checking rosters, and who may act when. No HTTP, no
database, no broker."""
