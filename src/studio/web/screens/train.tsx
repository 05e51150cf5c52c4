export function Screen() {
  return <h1>Train</h1>;
}
