# pragma version ~=0.4.3
"""Clanker's locker of liquidity: collects what launches earned and stores it for their recipients."""

interface Erc20:
    def approve(spender: address, amount: uint256) -> bool: nonpayable

interface FeeLocker:
    def storeFees(feeOwner: address, token: address, amount: uint256): nonpayable

struct PoolKey:
    currency0: address
    currency1: address
    fee: uint24
    tickSpacing: int24
    hooks: address

struct TokenRewardInfo:
    token: address
    poolKey: PoolKey
    positionId: uint256
    numPositions: uint256
    rewardBps: DynArray[uint16, 7]
    rewardAdmins: DynArray[address, 7]
    rewardRecipients: DynArray[address, 7]

FEE_LOCKER: constant(address) = 0xF3622742b1E446D92e45E22923Ef11C2fcD55D68
BOTH: constant(uint8) = 0
PAIRED: constant(uint8) = 1
CLANKER: constant(uint8) = 2

_rewards: HashMap[address, TokenRewardInfo]
feePreferences: public(HashMap[address, HashMap[uint256, uint8]])
_earned: HashMap[address, HashMap[address, uint256]]


@external
@view
def tokenRewards(token: address) -> TokenRewardInfo:
    return self._rewards[token]


@external
def collectRewards(token: address):
    """Anybody may."""
    info: TokenRewardInfo = self._rewards[token]
    assert info.token != empty(address)
    paired: address = info.poolKey.currency0 if info.poolKey.currency1 == token else info.poolKey.currency1
    self._share(info, paired, CLANKER)
    self._share(info, token, PAIRED)


@internal
def _share(info: TokenRewardInfo, currency: address, unwanted: uint8):
    """Among the recipients who want this currency; the parts of the others are exchanged on the real one, not here."""
    earned: uint256 = self._earned[info.token][currency]
    self._earned[info.token][currency] = 0
    if earned == 0:
        return
    extcall Erc20(currency).approve(FEE_LOCKER, earned)
    for index: uint256 in range(len(info.rewardRecipients), bound=7):
        part: uint256 = earned * convert(info.rewardBps[index], uint256) // 10_000
        if part > 0 and self.feePreferences[info.token][index] != unwanted:
            extcall FeeLocker(FEE_LOCKER).storeFees(info.rewardRecipients[index], currency, part)


@external
def launch(info: TokenRewardInfo, preference: uint8):
    """Of tests only: a launch, all of whose recipients want the same."""
    self._rewards[info.token] = info
    for index: uint256 in range(len(info.rewardRecipients), bound=7):
        self.feePreferences[info.token][index] = preference


@external
def accrue(token: address, currency: address, amount: uint256):
    """Of tests only: swaps paid this much, which the caller has put here."""
    self._earned[token][currency] += amount
