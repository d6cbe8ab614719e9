// Next.js itself is not under test: of its server the package's route handlers use this much.
export class NextResponse extends Response {
  static json(body: unknown, init?: ResponseInit): Response {
    return Response.json(body, init);
  }
}

// `next-auth` calls `authorize` of the provider that the log-in form names.
export default function NextAuth(_request: unknown, _response: unknown, options: unknown): unknown {
  return options;
}

export const CredentialProvider = (options: unknown): unknown => options;
