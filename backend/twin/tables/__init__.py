"""Clinical knowledge as data; `SOURCES.md` says where each number comes from."""
