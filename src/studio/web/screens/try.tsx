export function Screen() {
  return <h1>Try</h1>;
}
