def write(r,s,d): return [], "stub"
