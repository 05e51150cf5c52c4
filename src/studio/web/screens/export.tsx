export function Screen() {
  return <h1>Export</h1>;
}
