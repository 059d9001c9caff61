import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.ResourceLeakDetector;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Capitalize PORT: Netty's NIO transport on one event loop, with pooled buffers. */
public final class Capitalize extends ChannelInboundHandlerAdapter {
    private static final int MOST_UNFINISHED = 1 << 20;

    private ByteBuf unfinished;

    public static void main(String[] arguments) throws Exception {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        NioEventLoopGroup loop = new NioEventLoopGroup(1);
        Channel listener = new ServerBootstrap()
            .group(loop)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
            .childHandler(new ChannelInitializer<SocketChannel>() {
                @Override
                protected void initChannel(SocketChannel channel) {
                    channel.pipeline().addLast(new Capitalize());
                }
            })
            .bind(InetAddress.getByName("127.0.0.1"), Integer.parseInt(arguments[0]))
            .sync()
            .channel();
        System.out.println("listening " + ((InetSocketAddress) listener.localAddress()).getPort());
        listener.closeFuture().sync();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf input = (ByteBuf) message;
        int whole = wholeLines(input);
        if (unfinished != null) {
            unfinished.writeBytes(input, whole > 0 ? whole : input.readableBytes());
            if (whole > 0) {
                context.write(capitalize(unfinished), context.voidPromise());
                unfinished = null;
            } else if (unfinished.readableBytes() > MOST_UNFINISHED) {
                context.close();
            }
        } else if (whole == input.readableBytes()) {
            context.write(capitalize(input), context.voidPromise());
            return;
        } else if (whole > 0) {
            context.write(capitalize(input.readRetainedSlice(whole)), context.voidPromise());
        }
        if (input.isReadable()) {
            unfinished = context.alloc().directBuffer(2 * input.readableBytes()).writeBytes(input);
        }
        input.release();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            ByteBuf rest = unfinished == null ? context.alloc().directBuffer(0) : capitalize(unfinished);
            unfinished = null;
            context.writeAndFlush(rest).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (unfinished != null) {
            unfinished.release();
            unfinished = null;
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable broken) {
        context.close();
    }

    /** How many bytes the whole lines are; a line ends at LF or NUL. */
    private static int wholeLines(ByteBuf text) {
        int first = text.readerIndex();
        for (int last = text.writerIndex() - 1; last >= first; last--) {
            byte letter = text.getByte(last);
            if (letter == '\n' || letter == 0) {
                return last - first + 1;
            }
        }
        return 0;
    }

    private static ByteBuf capitalize(ByteBuf text) {
        for (int at = text.readerIndex(); at < text.writerIndex(); at++) {
            byte letter = text.getByte(at);
            if (letter >= 'a' && letter <= 'z') {
                text.setByte(at, letter - 32);
            }
        }
        return text;
    }
}
