// Keys, and all that needs no answer of the server: the stretch, the size of the brush, zoom, outlines.
const {plot, mapper, stretch, radius, stroke, ring, outlines, polygon, tools, keys, known, dexes} = args
const pointer = {x: 0, y: 0, inside: false}

const show_stretch = () => {
  const [low, high] = stretch.value
  const scale = 65535 / (dexes[1] - dexes[0])
  mapper.setv({low: (low - dexes[0]) * scale, high: (high - dexes[0]) * scale})
}
const show_brush = () => {
  const pixels = plot.inner_width / (plot.x_range.end - plot.x_range.start)
  if (pixels > 0)
    stroke.glyph.line_width = {value: Math.max(1, 2 * radius.value * pixels)}
  const brushes = tools.active == 2 && pointer.inside
  ring.data = {x: brushes ? [pointer.x] : [], y: brushes ? [pointer.y] : [], radius: brushes ? [radius.value] : []}
}
const zoom = (factor) => {
  for (const [range, at] of [[plot.x_range, pointer.x], [plot.y_range, pointer.y]]) {
    const middle = pointer.inside ? at : (range.start + range.end) / 2
    range.setv({start: middle + (range.start - middle) / factor, end: middle + (range.end - middle) / factor})
  }
}
const nudge_stretch = (end, step) => {
  const value = [...stretch.value]
  value[end] = Math.min(Math.max(value[end] + step, stretch.start), stretch.end)
  if (value[0] < value[1])
    stretch.value = value
}

const here = {
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  "0": () => plot.reset.emit(),
  h: () => { for (const one of outlines) one.visible = !one.visible },
  ",": () => nudge_stretch(1, 0.05),
  ".": () => nudge_stretch(1, -0.05),
  "<": () => nudge_stretch(0, -0.05),
  ">": () => nudge_stretch(0, 0.05),
}

plot.on_event("mousemove", ({x, y}) => { Object.assign(pointer, {x, y, inside: true}); show_brush() })
plot.on_event("mouseleave", () => { pointer.inside = false; show_brush() })
plot.on_event("reset", show_brush)
stretch.properties.value.change.connect(show_stretch)
radius.properties.value.change.connect(show_brush)
tools.properties.active.change.connect(show_brush)
for (const property of [plot.x_range.properties.end, plot.properties.inner_width])
  property.change.connect(show_brush)

document.addEventListener("keydown", (event) => {
  const [field] = event.composedPath()
  const writes = field instanceof HTMLInputElement && field.type == "text" || field instanceof HTMLSelectElement
  if (writes || event.altKey || ((event.ctrlKey || event.metaKey) && !["z", "y", "Z"].includes(event.key)))
    return
  if (here[event.key]) {
    here[event.key]()
  } else if (known.includes(event.key)) {
    keys.data = {key: [event.key], x: [pointer.x], y: [pointer.y], inside: [pointer.inside], n: [keys.data.n[0] + 1]}
  } else {
    return
  }
  event.preventDefault()
  event.stopPropagation()
}, {capture: true})
// A button that was clicked must not take the next space or Enter.
document.addEventListener("pointerup", (event) => {
  const [field] = event.composedPath()
  if (field instanceof HTMLButtonElement || field instanceof HTMLElement && field.getAttribute("role") == "slider")
    field.blur()
}, {capture: true})

const told = document.createElement("p")
told.className = "lost"
told.textContent = "The program that served this page does not answer. All that was drawn before is saved. " +
  "If it has ended, start it again and open the address that it prints."
plot.document.on_event("connection_lost", () => {
  document.body.append(told)
  document.body.dataset.lost = "yes"
})
plot.document.on_event("client_reconnected", () => {
  told.remove()
  delete document.body.dataset.lost
})

show_stretch()
show_brush()
document.body.dataset.ready = "yes"
