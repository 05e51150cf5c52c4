export function Screen() {
  return <h1>Explore</h1>;
}
