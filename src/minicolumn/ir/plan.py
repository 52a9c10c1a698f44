"""Topological order of a graph, and liveness: when each value can be let go."""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.ir.graph import CONST, Graph, Node


@dataclass(frozen=True)
class Step:
    """One operation of a plan: which slots it reads, which it writes, which it reads for the last time."""

    node: Node
    reads: tuple[int, ...]
    writes: int
    frees: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A graph laid out in time: inputs and constants have slots, then the steps follow."""

    graph: Graph
    slots: int
    inputs: tuple[int, ...]
    constants: tuple[tuple[int, Node], ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def __str__(self) -> str:
        lines = [f"plan of {self.graph.name}: {len(self.steps)} steps, {self.slots} slots"]
        for step in self.steps:
            freed = f"  frees {', '.join(f'%{i}' for i in step.frees)}" if step.frees else ""
            reads = ", ".join(f"%{i}" for i in step.reads)
            lines.append(f"  %{step.writes}: {step.node.type} = {step.node.op.name}({reads}){freed}")
        return "\n".join(lines)


def make_plan(graph: Graph) -> Plan:
    """Lay a graph out in time; slots are used again once their value has been read for the last time."""
    nodes = graph.nodes
    last_use = {operand: i for i, node in enumerate(nodes) for operand in node.inputs}
    kept = {*graph.outputs, *graph.inputs} | {n for n in nodes if n.op is CONST}
    slot_of: dict[Node, int] = {node: i for i, node in enumerate(graph.inputs)}
    constants, steps, free = [], [], []
    count = len(slot_of)
    for i, node in enumerate(nodes):
        if node in slot_of:
            continue
        reads = tuple(slot_of[x] for x in node.inputs)
        done = [x for x in dict.fromkeys(node.inputs) if last_use[x] == i and x not in kept]
        slot = free.pop() if free and node.op is not CONST else count
        count = max(count, slot + 1)
        slot_of[node] = slot
        if node.op is CONST:
            constants.append((slot, node))
            continue
        frees = tuple(slot_of[x] for x in done)
        steps.append(Step(node, reads, slot, frees))
        free.extend(frees)
    outputs = tuple(slot_of[o] for o in graph.outputs)
    return Plan(graph, count, tuple(range(len(graph.inputs))), tuple(constants), tuple(steps), outputs)
