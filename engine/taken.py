"""What a server here says when it cannot listen where it was told to."""


class PortTaken(Exception):
    """One line that names the port."""
