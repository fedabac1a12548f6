from archc.backends.keras.source_layers import *
from archc.backends.keras.source_layers import values
from archc.backends.keras.source_text import *
from archc.backends.keras.source_text import literal

def flat(graph, model):
    needs=set(); lines=[]
    var={}
    events=sorted((c.node,i,n) for i,l in enumerate(model.layers) for n,c in enumerate(l.calls))
    inputs=[i for i,l in enumerate(model.layers) if l.class_name=="InputLayer"]
    def make(l):
        v={k:x for k,x in values(l).items() if l.is_operation or not is_default(l.class_name,k,x)}
        for x in v.values():
            if isinstance(x,Code): needs.update(x.needs.split())
        first=first_arguments(l.class_name)
        args=[literal(x) if k in first else f"{k}={literal(x)}" for k,x in v.items()]
        return args+[f"name={quoted(l.name)}"]
    mods={"layers"}
    for i in inputs:
        lines+=laid_out(f"t{i} = Input",make(model.layers[i]),"","    "); var[i,0]=f"t{i}"
    made=set()
    for node,i,n in events:
        l=model.layers[i]
        if i in inputs: continue
        c=l.calls[n]
        if l.is_operation: needs.add("ops"); cls=f"ops.{l.class_name}"
        else: cls=f"layers.{l.class_name}"
        def t(r):
            k=len(model.layers[r.layer].calls[r.call].shapes) if model.layers[r.layer].calls else 1
            return var[r.layer,r.call]+(f"[{r.output}]" if k>1 else "")
        ins=[t(r) for r in c.inputs]
        if c.as_list: ins=["["+", ".join(ins)+"]"]
        ins+= [literal(list(a)) if False else literal(a) for a in c.arguments]+[f"{k}={literal(v)}" for k,v in c.keywords.items()]
        name=f"t{i}_{n}" if len(l.calls)>1 else f"t{i}"
        if len(l.calls)>1:
            if i not in made:
                lines+=laid_out(f"layer{i} = {cls}",make(l),"","    ")
            made.add(i)
            lines+=laid_out(f"{name} = layer{i}",ins,"","    ")
        else:
            lines+=laid_out(f"{name} = {cls}",make(l),f"({', '.join(ins)})","    ")
        var[i,n]=name
    outs=[t(r) for r in model.outputs]; ii=[t(r) for r in model.inputs]
    one=lambda z: z[0] if len(z)==1 else "["+", ".join(z)+"]"
    lines.append(f"    return Model({one(ii)}, {one(outs)}, name={quoted(model.name)})")
    head=docstring([graph.title or graph.name])+["",f"from keras import {', '.join(sorted({'Input','Model','layers'}|(needs-{'ops'}),key=lambda s:(s.islower(),s)))}"]
    if "ops" in needs: head.append("from keras.src import ops")
    return "\n".join([*head,"","","def build_model():",*lines,"","",'if __name__ == "__main__":',"    build_model().summary()",""])
