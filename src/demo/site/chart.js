/** Draws the readings as one line, scaled to their own range but never to less than one degree. */
export function drawChart(chart, readings) {
  const { width, height } = chart.viewBox.baseVal;
  const low = Math.min(...readings);
  const span = Math.max(1, Math.max(...readings) - low);
  const step = width / Math.max(1, readings.length - 1);
  const points = readings.map((value, i) =>
    `${(i * step).toFixed(1)},${(height - 4 - ((value - low) / span) * (height - 8)).toFixed(1)}`
  );
  chart.querySelector("polyline").setAttribute("points", points.join(" "));
}
