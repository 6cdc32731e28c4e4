"""Gating-ML documents, FlowJo workspaces and events written on purpose."""

import numpy as np

from assayhouse.instruments.fcs import FcsFile

SPACES = (
    'xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"'
)


def gating_ml(body):
    return f'<?xml version="1.0"?><gating:Gating-ML {SPACES}>{body}</gating:Gating-ML>'.encode()


def dimension(name, *, low=None, high=None, scale=None, compensation="uncompensated"):
    bounds = "".join(
        f' gating:{word}="{value}"'
        for word, value in (("min", low), ("max", high), ("transformation-ref", scale))
        if value is not None
    )
    return (
        f'<gating:dimension gating:compensation-ref="{compensation}"{bounds}>'
        f'<data-type:fcs-dimension data-type:name="{name}"/></gating:dimension>'
    )


def gate(kind, name, body, *, parent=None):
    of = f' gating:parent_id="{parent}"' if parent else ""
    return f'<gating:{kind} gating:id="{name}"{of}>{body}</gating:{kind}>'


def vertices(*corners):
    return "".join(
        "<gating:vertex>"
        + "".join(f'<gating:coordinate data-type:value="{value}"/>' for value in corner)
        + "</gating:vertex>"
        for corner in corners
    )


def boolean(name, operation, *operands, parent=None):
    body = "".join(
        f'<gating:gateReference gating:ref="{operand.removeprefix(chr(126))}"'
        + (' gating:use-as-complement="true"' if operand.startswith("~") else "")
        + "/>"
        for operand in operands
    )
    return gate(
        "BooleanGate", name, f"<gating:{operation}>{body}</gating:{operation}>", parent=parent
    )


def population(name, region, *, count=0, inside=(), kind="Population"):
    """A population of a workspace with its gate's XML (or a boolean node's dependents)."""
    below = f"<Subpopulations>{''.join(inside)}</Subpopulations>" if inside else ""
    held = region if kind != "Population" else f"<Gate>{region}</Gate>"
    stored = "" if count is None else f' count="{count}"'
    return f'<{kind} name="{name}"{stored}>{held}{below}</{kind}>'


def dependents(*names):
    body = "".join(f'<Dependent name="{name}"/>' for name in names)
    return f"<Dependents>{body}</Dependents>"


def flowjo_gate(kind, body, *, inside=1):
    return f'<gating:{kind} eventsInside="{inside}">{body}</gating:{kind}>'


def axis(name, *, low=None, high=None):
    return dimension(name, low=low, high=high)


def scale(kind, channel, **parameters):
    words = " ".join(f'transforms:{key}="{value}"' for key, value in parameters.items())
    return (
        f"<transforms:{kind} {words}>"
        f'<data-type:parameter data-type:name="{channel}"/></transforms:{kind}>'
    )


def sample(name, *populations, scales="", matrix="", count=0):
    return (
        f"<Sample><Transformations>{scales}</Transformations>{matrix}"
        f'<SampleNode name="{name}" count="{count}" sampleID="1">'
        f"<Subpopulations>{''.join(populations)}</Subpopulations></SampleNode></Sample>"
    )


def workspace(*samples, version="10.8.1", groups=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Workspace version="20.0" {SPACES} '
        f'flowJoVersion="{version}">{groups}<SampleList>{"".join(samples)}</SampleList></Workspace>'
    ).encode()


def spillover(channels, rows, *, prefix="Comp-", spectral=0):
    names = "".join(f'<data-type:parameter data-type:name="{name}"/>' for name in channels)
    body = "".join(
        f'<transforms:spillover data-type:parameter="{name}">'
        + "".join(
            f'<transforms:coefficient data-type:parameter="{other}" transforms:value="{value}"/>'
            for other, value in zip(channels, row, strict=True)
        )
        + "</transforms:spillover>"
        for name, row in zip(channels, rows, strict=True)
    )
    return (
        f'<transforms:spilloverMatrix spectral="{spectral}" prefix="{prefix}" suffix="">'
        f"<data-type:parameters>{names}</data-type:parameters>{body}</transforms:spilloverMatrix>"
    )


def fcs_of(keywords=None, spillover=None, **channels):
    """Events in memory, a keyword per channel."""
    events = np.array(list(channels.values()), dtype=np.float64).T
    return FcsFile(
        version="3.1",
        channels=tuple(channels),
        markers=(None,) * len(channels),
        keywords=keywords or {},
        n_events=len(events),
        events=events,
        spillover=None if spillover is None else np.array(spillover, dtype=np.float64),
        spillover_channels=() if spillover is None else tuple(channels),
    )
