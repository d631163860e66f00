// Colours and defaults of the component kit. Every pair used here keeps WCAG AA contrast in both schemes.
import { Anchor, type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const resin: MantineColorsTuple = [
  "#eef8f3",
  "#dcefe6",
  "#b7e0cd",
  "#8fd1b1",
  "#6cc399",
  "#4fb184",
  "#37986c",
  "#2a8159",
  "#1f6f4b",
  "#14523a",
];

export const theme = createTheme({
  colors: { resin },
  primaryColor: "resin",
  // The kit's default shades give white text 3.5:1; shade 8 gives more than 4.5:1 for every colour in use.
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  respectReducedMotion: true,
  defaultRadius: "md",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650" },
  components: {
    Anchor: Anchor.extend({ defaultProps: { underline: "never" } }),
  },
});

export const variables: CSSVariablesResolver = (t) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": t.colors.gray[7],
    "--mantine-color-placeholder": t.colors.gray[7],
    "--mantine-color-anchor": t.colors.resin?.[8] ?? "#1f6f4b",
    "--mantine-color-error": t.colors.red[9],
    "--surface": "#ffffff",
    "--surface-sunken": "#f6f8f7",
    "--line": "#dfe4e1",
    "--tone-good": "#1a6341",
    "--tone-bad": "#a61e1e",
    "--tone-warn": "#7a4b00",
    "--tone-busy": "#155a9c",
    "--tone-quiet": "#495057",
  },
  dark: {
    "--mantine-color-body": "#161a18",
    "--mantine-color-dimmed": "#a9b2ad",
    "--mantine-color-placeholder": "#a9b2ad",
    "--mantine-color-anchor": t.colors.resin?.[3] ?? "#8fd1b1",
    "--mantine-color-error": t.colors.red[4],
    "--surface": "#1d2220",
    "--surface-sunken": "#171b19",
    "--line": "#343b38",
    "--tone-good": "#7fd3a8",
    "--tone-bad": "#ff9d9d",
    "--tone-warn": "#f0c05a",
    "--tone-busy": "#8cc3f7",
    "--tone-quiet": "#b9c1bd",
  },
});
