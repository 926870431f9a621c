"""What can be wrong with a state directory."""


class StoreError(Exception):
    """One line that names the file and what to do; `code` is stable."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Locked(StoreError):
    """Another process holds the directory."""


class WrongState(StoreError):
    """The directory holds another kind of run."""


class Damaged(StoreError):
    """The journal cannot be trusted: not a journal, from the future, or its chain is broken."""
