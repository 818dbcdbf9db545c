"""The bot meets the world: network, clock, configuration, pages and loops live here."""
