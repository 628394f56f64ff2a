// Removes secrets from the command line that a Result stores.

/** Headers whose values are not kept. */
const secretHeader = /auth|cookie|token|secret|key|password|session/i;
const headerFlag = /^(?:-H|--header=?)/;
const messageFlag = "--first-message";

/** The arguments, with `***` for the value of each header that is secret by its name, for the first message, and for credentials in a URL. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    if (args[index - 1] === messageFlag) {
      return "***";
    }
    if (arg.startsWith(`${messageFlag}=`)) {
      return `${messageFlag}=***`;
    }
    const isValue = ["-H", "--header"].includes(args[index - 1] ?? "");
    const flag = isValue ? "" : (headerFlag.exec(arg)?.[0] ?? undefined);
    const colon = arg.indexOf(":");
    const isSecret = flag !== undefined && colon !== -1 && secretHeader.test(arg.slice(flag.length, colon));
    return isSecret ? `${arg.slice(0, colon)}: ***` : arg.replace(/^(https?:\/\/)[^/@]*@/i, "$1***@");
  });
}
