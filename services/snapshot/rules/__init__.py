"""What snapshot decides, as pure functions: who is counted, what is paid for them, and the steps of closing. No HTTP,
no database, no broker."""
