"""What keeps the bot working: lease, heartbeat, orders, pauses, incidents."""
