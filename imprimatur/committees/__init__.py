"""Committees that meet: their sittings, agendas, decisions and minutes."""
