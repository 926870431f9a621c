"""Where prices come from and where positions live."""
