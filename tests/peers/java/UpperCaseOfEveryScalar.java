import java.util.Locale;

/** Prints every scalar value whose upper case is not itself, in hexadecimal: the scalar, then its upper case's scalars. */
class UpperCaseOfEveryScalar {
    public static void main(String[] argv) {
        System.out.println(System.getProperty("java.version"));
        StringBuilder out = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c >= 0xd800 && c <= 0xdfff) continue;
            String self = Character.toString(c);
            String upper = self.toUpperCase(Locale.ROOT);
            if (upper.equals(self)) continue;
            out.append(Integer.toHexString(c));
            upper.codePoints().forEach(u -> out.append(' ').append(Integer.toHexString(u)));
            out.append('\n');
        }
        System.out.print(out);
    }
}
