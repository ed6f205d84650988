"""What notifications does: facts become messages, messages climb the ladder, tasks and carriers tell how it went."""
