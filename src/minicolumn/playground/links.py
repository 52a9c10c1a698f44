def parse_link(t): pass
def write_link(s): return "#"
