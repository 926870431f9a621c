"""What the chain tests share."""

from tests.chain.fixtures import fresh_node, node, session_node

__all__ = ["fresh_node", "node", "session_node"]
