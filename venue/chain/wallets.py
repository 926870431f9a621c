"""Several wallets on one chain: a nonce table each, and one belief in what stands at an address."""

from dataclasses import dataclass, field

from venue.chain import machine, state
from venue.chain.facts import ContractPinned, Fact, TxReserved, WalletAdopted, WalletReadopted
from venue.chain.machine import Adopt, ChainCode, Refusal, Reserve
from venue.chain.state import Chain


@dataclass(frozen=True, slots=True)
class Of:
    """A command about one wallet; which one does not matter for what is believed of contracts."""

    wallet: str
    command: machine.Command


@dataclass(slots=True)
class Wallets:
    """All that ever sent, by address, in the order in which they were adopted."""

    chains: dict[str, Chain] = field(default_factory=dict)
    pins: dict[str, ContractPinned] = field(default_factory=dict)
    _senders: dict[str, str] = field(default_factory=dict)  # by id of the transaction

    def of(self, wallet: str) -> Chain:
        """One wallet's; nothing is open in one that was never adopted."""
        return self.chains.get(wallet) or Chain(pins=self.pins)

    def sender(self, tx_id: str) -> str:
        """The wallet whose transaction has that id, or nothing."""
        return self._senders.get(tx_id, "")

    def evolve(self, fact: Fact) -> None:
        """Folds a fact into the state in place."""
        match fact:
            case ContractPinned():
                self.pins[fact.address] = fact
                return
            case WalletAdopted():
                chain = self.chains[fact.address] = Chain(pins=self.pins)
            case WalletReadopted():
                chain = self.chains[fact.address]
            case TxReserved():
                self._senders[fact.tx_id] = fact.wallet
                chain = self.chains[fact.wallet]
            case _:
                chain = self.chains[self._senders[fact.tx_id]]
        state.evolve(chain, fact)


def decide(wallets: Wallets, of: Of) -> tuple[Fact, ...] | Refusal:
    """The facts a command leads to, or why it has none; the state is left as it is."""
    if isinstance(of.command, Adopt) and (refused := _stranger(wallets, of.wallet, of.command)):
        return refused
    if isinstance(of.command, Reserve) and wallets.sender(of.command.tx_id) not in ("", of.wallet):
        return Refusal(ChainCode.ID_REUSED, f"{of.command.tx_id} is another wallet's")
    return machine.decide(wallets.of(of.wallet), of.command)


def _stranger(wallets: Wallets, wallet: str, command: Adopt) -> Refusal | None:
    """A wallet is taken on only by somebody who knows all the others: a wrong keystore is no new wallet."""
    if command.address != wallet:
        return Refusal(ChainCode.OTHER_WALLET, f"{wallet or 'nobody'} cannot take on {command.address}")
    others = [each for each in wallets.chains if each not in command.beside]
    if command.address in wallets.chains or not others:
        return None
    return Refusal(ChainCode.OTHER_WALLET, f"this journal sends from {', '.join(others)}, not {command.address}")
