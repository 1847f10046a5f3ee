"""The vocabulary: frozen types that every other room speaks, and the sockets they plug into.

A new noun goes into the file of its kind (`case`, `output`, `call`, `verdict`, `report`, `protocols`);
nothing here opens a file or a socket, and only the standard library and numpy are imported.
"""
