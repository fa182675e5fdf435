"""An archive behind the address of a server: `RemoteArchive`."""
