"""Benchmarks: training, prediction and start-up beside other libraries, on the machine at hand.

    workloads    networks and data, equal for all libraries      sides     one library's way to do the work
    timing       interleaved rounds with a control               limit     peak FLOP/s and memory bandwidth
    training, prediction, startup                                session   all of it, as JSON

Every library starts from the same weights and sees the same rows; losses and probabilities are compared
before times are. `minicolumn bench` shows the result.

Differs     timeit and pytest-benchmark time one function after the other, so a busy minute counts against
            one of them alone
"""
