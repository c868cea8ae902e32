"""The door of pages: the admin. Shows only what came through the gate."""
