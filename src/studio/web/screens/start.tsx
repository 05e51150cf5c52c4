export function Screen() {
  return <h1>Start</h1>;
}
