// What stands in the reference's examples for a value of each scalar.
const EXAMPLES = {
  Boolean: true,
  DateTime: "2026-11-25T12:00:00+00:00",
  Float: 0.5,
  ID: "0b6f2c1e-5d3a-4c55-9d0e-6b1f0a7c2d4e",
  Int: 7,
  JSON: { size: "L" },
  Long: 7,
  String: "text",
};

module.exports = ({ underlyingType, isArray }) => {
  const example = EXAMPLES[underlyingType.name];
  return isArray && example !== undefined ? [example] : example;
};
