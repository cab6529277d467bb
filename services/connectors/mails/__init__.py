"""What a mail says, by whatever service it comes: its parts, its people, its thread, what is new in it."""
