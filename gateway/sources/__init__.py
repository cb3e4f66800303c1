"""Who may send: sources, named in a file by AE title, address, certificate and user, and what each may."""
