"""Frames by name, and the context's readers and writers of frames."""


class DynamicFrameCollection:
    """Frames by name."""

    def __init__(self, dynamic_frames, glue_ctx):
        named = isinstance(dynamic_frames, dict)
        self._frames = dict(dynamic_frames) if named else {frame.name: frame for frame in dynamic_frames}
        self._glue_ctx = glue_ctx

    def __getitem__(self, key):
        return self._frames[key]

    def __setitem__(self, key, frame):
        self._frames[key] = frame

    def __len__(self):
        return len(self._frames)

    def __iter__(self):
        return iter(self._frames)

    def keys(self):
        return self._frames.keys()

    def values(self):
        return self._frames.values()

    def items(self):
        return self._frames.items()

    def select(self, key, transformation_ctx=""):
        return self._frames[key]

    def map(self, callable, transformation_ctx=""):
        """What callable(frame, context) makes of each frame."""
        made = {key: callable(frame, f"{transformation_ctx}{key}") for key, frame in self._frames.items()}
        return DynamicFrameCollection(made, self._glue_ctx)

    def flatmap(self, f, transformation_ctx=""):
        made = {}
        for key, frame in self._frames.items():
            for inner, value in f(frame, f"{transformation_ctx}{key}").items():
                made[f"{key}_{inner}" if inner in made else inner] = value
        return DynamicFrameCollection(made, self._glue_ctx)


class Door:
    """A part of glueContext that hands on what is asked of it: what hasn't got a method there is refused by its name."""

    does = None

    def __init__(self, glue_context):
        self._glue_context = glue_context

    def from_options(self, *others, **named):
        return self._hand_on("from_options", others, named)

    def from_catalog(self, *others, **named):
        return self._hand_on("from_catalog", others, named)

    def from_rdd(self, *others, **named):
        return self._hand_on("from_rdd", others, named)

    def from_jdbc_conf(self, *others, **named):
        return self._hand_on("from_jdbc_conf", others, named)

    def _hand_on(self, how, others, named):
        return getattr(self._glue_context, f"{self.does}_{how}")(*others, **named)


class DynamicFrameReader(Door):
    """glueContext.create_dynamic_frame."""

    does = "create_dynamic_frame"


class DynamicFrameWriter(Door):
    """glueContext.write_dynamic_frame."""

    does = "write_dynamic_frame"
