"""What Redis raises, looked up only where something was raised: its client takes 20 MB, and a small desk has no Redis."""


def redis_error() -> type[Exception]:
    from redis.exceptions import RedisError

    return RedisError
