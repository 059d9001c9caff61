using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>A client's requests that have begun. Every call searches the whole list, so it is to be small.</summary>
internal sealed class CoapTransactions
{
    private readonly List<CoapTransaction> _all = [];

    public int Count => _all.Count;

    /// <summary>Those whose end somebody waits for.</summary>
    public int Told => _all.Count(static each => !each.IsSilent);

    /// <summary>Messages on their way that the peer has neither acknowledged nor answered.</summary>
    public int Outstanding
    {
        get
        {
            int count = 0;
            foreach (CoapTransaction each in _all)
            {
                count += each.IsAcknowledged || each.IsContinued ? 0 : 1;
            }

            return count;
        }
    }

    /// <summary>When one of them is to be sent again, or given up; null for never.</summary>
    public TimeSpan? Due
    {
        get
        {
            TimeSpan next = TimeSpan.MaxValue;
            foreach (CoapTransaction each in _all)
            {
                TimeSpan due = each.NextSend < each.GiveUp ? each.NextSend : each.GiveUp;
                next = due < next ? due : next;
            }

            return next == TimeSpan.MaxValue ? null : next;
        }
    }

    /// <summary>One whose next message waits until it may be sent; null for none.</summary>
    public CoapTransaction? Continued => _all.Find(static each => each.IsContinued);

    public CoapTransaction this[int index] => _all[index];

    public void Add(CoapTransaction transaction) => _all.Add(transaction);

    public void Remove(CoapTransaction transaction)
    {
        transaction.IsOver = true;
        _all.Remove(transaction);
    }

    public CoapTransaction? Find(long id) => _all.Find(each => each.Id == id && !each.IsSilent);

    public CoapTransaction? FindByMessageId(ushort messageId) =>
        Find(messageId, static (each, sought) => each.Sends > 0 && each.MessageId == sought);

    public CoapTransaction? FindByToken(CoapToken token) =>
        Find(token, static (each, sought) => (each.Sends > 0 || each.IsRegistered) && each.Token == sought);

    private CoapTransaction? Find<T>(T sought, Func<CoapTransaction, T, bool> isSought)
    {
        foreach (CoapTransaction each in _all)
        {
            if (isSought(each, sought))
            {
                return each;
            }
        }

        return null;
    }
}
