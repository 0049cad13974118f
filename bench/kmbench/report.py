def markdown(r,s): return ""
def summary_text(r,s): 
    out=[]
    for row in s.rows:
        out.append(row.name+" "+" ".join(f"{n}={row.median('time',n) or 0:.3g}" for n in s.names)+" "+str({p:(round(row.compare('time',s.subject,p).ratio,3),row.compare('time',s.subject,p).verdict) for p in s.peers if s.subject and row.compare('time',s.subject,p)}))
    for p in s.peers: out.append(f"geomean {p} {s.geomean('time',s.subject,p)} {s.geomean('peak_rss_kib',s.subject,p)}")
    return "\n".join(out)
def readme_table(r,s): return ""
