"""What Glue's scripts import, on DataFrames alone: on Spark and on any server of Spark Connect."""

_FRAMES = ("DynamicFrame", "DynamicFrameCollection", "DynamicFrameReader", "DynamicFrameWriter")


def __getattr__(name):
    """Frames by the package's own name. Scripts without Spark import awsglue.utils, which needs nothing of this."""
    if name in _FRAMES:
        from awsglue import dynamicframe

        return getattr(dynamicframe, name)
    raise AttributeError(f"module 'awsglue' has no attribute {name!r}")
