"""Does a graph's need of memory depend on values? Then no trial run tells of it.

The sizes of all tensors must follow from the sizes of the inputs. Values flow from the
inputs through every operator but those that look at sizes alone; where one of them
would decide how large something is, the graph is refused.
"""

from __future__ import annotations

import onnx

from backend.twin.errors import ModelUntrusted

_SIZES_ALONE = {"Shape", "Size", "EyeLike"}
_AXES = (1,)
# Which inputs decide, by operator, what size the answer has; all others of the list of
# operators take it from their inputs' sizes and from attributes.
DECIDING: dict[str, tuple[int, ...]] = {
    "Compress": (1,),
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "NonZero": (0,),
    "OneHot": (1,),
    "Pad": (1, 3),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": _AXES,
    "Tile": (1, 2),
    "TopK": (1,),
    "Unsqueeze": _AXES,
    "ReduceL1": _AXES,
    "ReduceL2": _AXES,
    "ReduceLogSum": _AXES,
    "ReduceLogSumExp": _AXES,
    "ReduceMax": _AXES,
    "ReduceMean": _AXES,
    "ReduceMin": _AXES,
    "ReduceProd": _AXES,
    "ReduceSum": _AXES,
    "ReduceSumSquare": _AXES,
}


def check_sizes(graph: onnx.ModelProto) -> None:
    """Raise ModelUntrusted where values asked with decide a size.

    The graph was checked before: one graph, its nodes in order, operators of the list.
    """
    constants = {tensor.name for tensor in graph.graph.initializer}
    asked = {tensor.name for tensor in graph.graph.input} - constants
    for node in graph.graph.node:
        deciding = DECIDING.get(node.op_type, ())
        if asked & {node.input[i] for i in deciding if i < len(node.input)}:
            raise ModelUntrusted(
                f"{node.op_type}: a size depends on the values that are asked with"
            )
        if node.op_type not in _SIZES_ALONE and asked.intersection(node.input):
            asked.update(name for name in node.output if name)  # "" is left out
