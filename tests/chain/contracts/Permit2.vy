# pragma version ~=0.4.3
"""Permit2's allowances: who may take how much of a token, and until when."""

interface Erc20:
    def transferFrom(sender: address, receiver: address, amount: uint256) -> bool: nonpayable

struct Allowance:
    amount: uint160
    expiration: uint48
    nonce: uint48

allowance: public(HashMap[address, HashMap[address, HashMap[address, Allowance]]])


@external
def approve(token: address, spender: address, amount: uint160, expiration: uint48):
    allowed: Allowance = self.allowance[msg.sender][token][spender]
    allowed.amount = amount
    allowed.expiration = expiration if expiration != 0 else convert(block.timestamp, uint48)
    self.allowance[msg.sender][token][spender] = allowed


@external
def transferFrom(sender: address, receiver: address, amount: uint160, token: address):
    allowed: Allowance = self.allowance[sender][token][msg.sender]
    if block.timestamp > convert(allowed.expiration, uint256):
        raw_revert(abi_encode(convert(allowed.expiration, uint256), method_id=method_id("AllowanceExpired(uint256)")))
    if allowed.amount != max_value(uint160):
        if amount > allowed.amount:
            raw_revert(
                abi_encode(convert(allowed.amount, uint256), method_id=method_id("InsufficientAllowance(uint256)"))
            )
        allowed.amount -= amount
        self.allowance[sender][token][msg.sender] = allowed
    assert extcall Erc20(token).transferFrom(sender, receiver, convert(amount, uint256)), "TRANSFER_FROM_FAILED"
