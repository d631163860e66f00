// Links of the application: typed by the routes, drawn by the component kit.
import { Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes, Ref } from "react";

type AnchorProps = AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

function PlainAnchor({ className, ...rest }: AnchorProps) {
  return <a {...rest} className={className ? `link ${className}` : "link"} />;
}

export const Link = createLink(PlainAnchor);

type ButtonAnchorProps = ButtonProps &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> & { ref?: Ref<HTMLAnchorElement> };

function ButtonAnchor(props: ButtonAnchorProps) {
  return <Button component="a" {...props} />;
}

export const ButtonLink = createLink(ButtonAnchor);
