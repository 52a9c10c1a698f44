"""Compiler passes: from a typed graph to kernels with a memory plan, by rewrites that keep every bit.

rules, simplify     algebraic simplification, constant folding, common subexpressions, dead code
expand              inlining of operations that are defined by others
access, cost        index maps of operands; what it costs to compute a value again
fuse, kernel        operator fusion into loop nests, products and calls
memory              buffer assignment by liveness, state updated in place
laws, pipeline      verifiers of kernels and memory; the order of the passes
formula, show       the plan as text
"""
