"""The hospital's door: receives images, makes them durable in the vault and tells the bus. Inner zone."""
