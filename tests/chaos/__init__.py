"""`crm chaos`: break the running stack on purpose, again and again, and prove that nothing is lost."""
