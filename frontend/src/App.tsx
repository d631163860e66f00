// What surrounds all pages: the component kit, the query cache, the router.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "./api/client";
import { makeRouter } from "./router";
import { UiProvider } from "./ui/Provider";

export function makeQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server is often on this very machine: being offline says nothing about reaching it.
        networkMode: "always",
        staleTime: 5_000,
        // What the server has decided (4xx, 5xx with a problem) does not change by asking at once again.
        retry: (failures, error) => error instanceof ApiError && error.status === 0 && failures < 1,
        retryDelay: 500,
      },
      mutations: { networkMode: "always" },
    },
  });
}

export function App() {
  const [client] = useState(makeQueryClient);
  const [router] = useState(makeRouter);
  return (
    <UiProvider>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </UiProvider>
  );
}
