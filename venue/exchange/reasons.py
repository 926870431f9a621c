"""Why the two-step exchange refuses, cancels or freezes: the venue's own names, and what each does to a request."""

from enum import StrEnum


class Reason(StrEnum):
    """Stable codes (seed avitus-two-step names the boxes they come from)."""

    UNAUTHORIZED = "Unauthorized"
    DISABLED_FEATURE = "DisabledFeature"
    DUPLICATE_CLIENT_ID = "DuplicateClientId"
    BAD_AMOUNT = "BadAmount"
    MARKET_EXISTS = "MarketExists"
    INVALID_POOL = "InvalidPool"
    EMPTY_ACCOUNT = "EmptyAccount"
    EMPTY_RECEIVER = "EmptyReceiver"
    INVALID_RECEIVER = "InvalidReceiver"
    EMPTY_MARKET = "EmptyMarket"
    DISABLED_MARKET = "DisabledMarket"
    INVALID_TOKEN = "InvalidToken"
    INSUFFICIENT_BALANCE = "InsufficientBalance"
    INSUFFICIENT_WNT = "InsufficientWntAmountForExecutionFee"
    INSUFFICIENT_EXECUTION_FEE = "InsufficientExecutionFee"
    MAX_CALLBACK_UNITS = "MaxCallbackGasLimitExceeded"
    MAX_SWAP_PATH = "MaxSwapPathLengthExceeded"
    DUPLICATED_MARKET = "DuplicatedMarketInSwapPath"
    EMPTY_DEPOSIT = "EmptyDeposit"
    EMPTY_DEPOSIT_AMOUNTS = "EmptyDepositAmounts"
    EMPTY_DEPOSIT_AFTER_SWAP = "EmptyDepositAmountsAfterSwap"
    EMPTY_WITHDRAWAL = "EmptyWithdrawal"
    EMPTY_WITHDRAWAL_AMOUNT = "EmptyWithdrawalAmount"
    EMPTY_ORDER = "EmptyOrder"
    ORDER_TYPE = "OrderTypeCannotBeCreated"
    ORDER_NOT_UPDATABLE = "OrderNotUpdatable"
    INVALID_POSITION_MARKET = "InvalidPositionMarket"
    UNEXPECTED_MARKET = "UnexpectedMarket"
    UNEXPECTED_VALID_FROM = "UnexpectedValidFromTime"
    MAX_AUTO_CANCEL = "MaxAutoCancelOrdersExceeded"
    NOT_YET_CANCELLABLE = "RequestNotYetCancellable"
    INVALID_REFERRAL_CODE = "InvalidReferralCode"

    INSUFFICIENT_WORK = "InsufficientExecutionGas"
    MISSING_PRICE = "EmptyPrice"
    BAD_PRICE = "InvalidPrice"
    PRICES_TOO_OLD = "OracleTimestampsAreSmallerThanRequired"
    PRICES_TOO_NEW = "OracleTimestampsAreLargerThanRequestExpirationTime"
    VALID_FROM = "OrderValidFromTimeNotReached"
    TRIGGER_NOT_MET = "InvalidOrderPrices"
    ORDER_FROZEN = "OrderAlreadyFrozen"
    EXPIRED = "RequestExpired"
    NOT_EXPIRED = "RequestNotExpired"

    FIRST_DEPOSIT_RECEIVER = "InvalidReceiverForFirstDeposit"
    FIRST_DEPOSIT_MINIMUM = "InvalidMinMarketTokensForFirstDeposit"
    PNL_FACTOR_LONGS = "PnlFactorExceededForLongs"
    PNL_FACTOR_SHORTS = "PnlFactorExceededForShorts"
    SWAP_OUTPUT_TOKEN = "InvalidSwapOutputToken"
    POOL_VALUE_DEPOSIT = "InvalidPoolValueForDeposit"
    POOL_VALUE_WITHDRAWAL = "InvalidPoolValueForWithdrawal"
    MIN_MARKET_TOKENS = "MinMarketTokens"
    MIN_OUTPUT = "InsufficientOutputAmount"
    MIN_SWAP_OUTPUT = "InsufficientSwapOutputAmount"
    SWAP_IMPACT_EXCEEDS_AMOUNT = "SwapPriceImpactExceedsAmountIn"
    DEPOSIT_IMPACT_EXCEEDS_AMOUNT = "PriceImpactExceedsDepositAmount"
    MAX_POOL_USD = "MaxPoolUsdForDepositExceeded"
    MAX_POOL_AMOUNT = "MaxPoolAmountExceeded"
    INSUFFICIENT_POOL = "InsufficientPoolAmount"
    INSUFFICIENT_RESERVE = "InsufficientReserve"
    MAX_OPEN_INTEREST = "MaxOpenInterestExceeded"
    ACCEPTABLE_PRICE = "OrderNotFulfillableAtAcceptablePrice"
    INSUFFICIENT_COLLATERAL = "InsufficientCollateral"
    LIQUIDATABLE = "LiquidatablePosition"
    NOT_LIQUIDATABLE = "PositionShouldNotBeLiquidated"
    CANNOT_PAY_COSTS = "InsufficientFundsToPayForCosts"
    EMPTY_POSITION = "EmptyPosition"
    UNABLE_TO_WITHDRAW = "UnableToWithdrawCollateral"
    INVALID_COLLATERAL = "InvalidCollateralTokenForMarket"
    DECREASE_SIZE = "InvalidDecreaseOrderSize"
    POSITION_SIZE = "InvalidPositionSizeValues"
    MIN_POSITION_SIZE = "MinPositionSize"
    AUTO_CANCEL = "AutoCancel"
    REVOKED = "RevokedByEngine"
    USER_CANCELLED = "UserInitiatedCancel"


KEEPER_ERRORS = frozenset(
    {
        Reason.UNAUTHORIZED,
        Reason.DISABLED_FEATURE,
        Reason.INSUFFICIENT_WORK,
        Reason.MISSING_PRICE,
        Reason.BAD_PRICE,
        Reason.PRICES_TOO_OLD,
        Reason.PRICES_TOO_NEW,
        Reason.VALID_FROM,
        Reason.TRIGGER_NOT_MET,
        Reason.ORDER_FROZEN,
    }
)
"""Not the request's fault: it stays as it is."""

INVALID_ORDER = frozenset(
    {
        Reason.EMPTY_MARKET,
        Reason.DISABLED_MARKET,
        Reason.INVALID_POSITION_MARKET,
        Reason.INVALID_COLLATERAL,
        Reason.INVALID_TOKEN,
        Reason.DECREASE_SIZE,
        Reason.POSITION_SIZE,
        Reason.MIN_POSITION_SIZE,
    }
)
"""Market, collateral or size can never become right: cancelled, whatever the type."""
