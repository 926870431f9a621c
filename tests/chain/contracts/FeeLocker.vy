# pragma version ~=0.4.3
"""Clanker's fee locker: what owners earned, pooled over all their launches."""

interface Erc20:
    def transfer(receiver: address, amount: uint256) -> bool: nonpayable
    def transferFrom(sender: address, receiver: address, amount: uint256) -> bool: nonpayable

event StoreTokens:
    sender: indexed(address)
    feeOwner: indexed(address)
    token: indexed(address)
    balance: uint256
    amount: uint256

event ClaimTokens:
    feeOwner: indexed(address)
    token: indexed(address)
    amountClaimed: uint256

availableFees: public(HashMap[address, HashMap[address, uint256]])


@external
def storeFees(feeOwner: address, token: address, amount: uint256):
    assert extcall Erc20(token).transferFrom(msg.sender, self, amount)
    self.availableFees[feeOwner][token] += amount
    log StoreTokens(
        sender=msg.sender, feeOwner=feeOwner, token=token, balance=self.availableFees[feeOwner][token], amount=amount
    )


@external
def claim(feeOwner: address, token: address):
    """Anybody may; it is always the owner who is paid."""
    amount: uint256 = self.availableFees[feeOwner][token]
    if amount == 0:
        raw_revert(method_id("NoFeesToClaim()"))
    self.availableFees[feeOwner][token] = 0
    assert extcall Erc20(token).transfer(feeOwner, amount)
    log ClaimTokens(feeOwner=feeOwner, token=token, amountClaimed=amount)
