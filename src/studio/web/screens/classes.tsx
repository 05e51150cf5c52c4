export function Screen() {
  return <h1>Classes</h1>;
}
